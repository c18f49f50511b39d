// Greets, and counts its invocations: what lies outside of the handler stays as long as the
// execution environment does.
let invocations = 0;

export const handler = async (event, context) => {
  invocations += 1;
  console.log(`greeting ${event.name}, ${context.getRemainingTimeInMillis()} ms left`);
  return {
    message: `Hello, ${event.name}!`,
    function: `${context.functionName}:${context.functionVersion}`,
    node: process.version,
    invocations,
  };
};
