/**
 * What `work` comes to, or what `late` does once `signal` has fired. The work goes on either way; what
 * it throws then concerns nobody any more.
 */
export async function inTime<T>(
  work: Promise<T>,
  signal: AbortSignal | undefined,
  late: () => Promise<T>,
): Promise<T> {
  if (signal === undefined) return work;
  const ended = Promise.withResolvers<'late'>();
  const end = () => ended.resolve('late');
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  try {
    const first = await Promise.race([work.then((value) => ({ value })), ended.promise]);
    if (first !== 'late') return first.value;
  } finally {
    signal.removeEventListener('abort', end);
  }
  work.catch(() => undefined);
  return late();
}
