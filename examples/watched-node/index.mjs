// Says how its execution environment was initialized. Deployed with the layer watch-layer, whose
// extension runs beside it.
export const handler = async (event) => ({
  message: `Hello, ${event.name}!`,
  initialized: process.env.AWS_LAMBDA_INITIALIZATION_TYPE,
});
