/** Below this the rate says nothing yet. */
const MIN_ELAPSED_MS = 1_500;
const MIN_SHARE = 0.02;

/** Estimated milliseconds until all is done; null while nothing can be said. */
export function timeLeft(elapsedMs: number, done: number, total: number | null): number | null {
  if (total === null || total <= 0 || done <= 0 || elapsedMs < MIN_ELAPSED_MS) return null;
  const share = Math.min(1, done / total);
  if (share < MIN_SHARE) return null;
  return (elapsedMs * (1 - share)) / share;
}
