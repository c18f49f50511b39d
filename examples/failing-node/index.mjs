// Throws for every order: the caller gets status 200, X-Amz-Function-Error and this error as JSON.
class OutOfStock extends Error {
  name = 'OutOfStock';
}

export const handler = async (event) => {
  console.error(`cannot deliver order ${event.order}`);
  throw new OutOfStock(`order ${event.order}: nothing left`);
};
