import { useEffect, useState } from 'react';

/** The present. */
export function now(): Date {
  return new Date();
}

/** The present, renewed every `everyMs` while the page is looked at. */
export function useNow(everyMs = 30_000): Date {
  const [at, setAt] = useState(now);
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) setAt(now());
    }, everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return at;
}
