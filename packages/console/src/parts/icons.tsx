import type { ReactElement } from 'react';
import './icons.css';

const PATHS = {
  activity: 'M3 12h4l3-8 4 16 3-8h4',
  back: 'M15 5l-7 7 7 7',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  chevron: 'M9 5l7 7-7 7',
  clock: 'M12 21a9 9 0 100-18 9 9 0 000 18zM12 7v5l3.5 2',
  copy: 'M9 9h11v11H9zM5 15H4V4h11v1',
  cross: 'M6 6l12 12M18 6L6 18',
  dash: 'M6 12h12',
  decisions: 'M4 6h10M4 12h7M4 18h9M16 15l2 2 4-5',
  exceptions: 'M12 3a9 9 0 109 9M12 8v4l3 2M17 3l4 4M21 3l-4 4',
  eye: 'M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12zM12 15a3 3 0 100-6 3 3 0 000 6z',
  key: 'M14 10a5 5 0 11-1.5-3.5M12 10l9 0M18 10v4M21 10v3',
  leave: 'M10 4H5v16h5M14 8l4 4-4 4M18 12H9',
  menu: 'M4 7h16M4 12h16M4 17h16',
  moon: 'M20 14.5A8.5 8.5 0 119.5 4a7 7 0 0010.5 10.5z',
  newer: 'M12 19V5M6 11l6-6 6 6',
  overview: 'M4 4h7v9H4zM13 4h7v5h-7zM13 11h7v9h-7zM4 15h7v5H4z',
  glass: 'M6 3h12l-1.5 18h-9zM12 3l-2 6 4 3-3 9',
  plus: 'M12 5v14M5 12h14',
  policies: 'M12 3l8 3v6c0 4.5-3.4 7.8-8 9-4.6-1.2-8-4.5-8-9V6zM8.5 12l2.5 2.5 4.5-5',
  question: 'M9 9a3 3 0 115 2.2c-1.2.9-2 1.5-2 2.8M12 17.5v.01',
  record: 'M6 3h9l4 4v14H6zM15 3v4h4M9.5 12h6M9.5 16h6',
  repositories: 'M12 3l8 4.5v9L12 21l-8-4.5v-9zM4 7.5l8 4.5 8-4.5M12 12v9',
  rollback: 'M4 9h10a5 5 0 010 10H8M4 9l4-4M4 9l4 4',
  simulations: 'M9 3h6M10 3v6L4.5 19a1.5 1.5 0 001.3 2h12.4a1.5 1.5 0 001.3-2L14 9V3M7.5 15h9',
  streams: 'M4 6h5c4 0 4 12 8 12h3M4 12h16M4 18h5c4 0 4-12 8-12h3',
  sun: 'M12 16a4 4 0 100-8 4 4 0 000 8zM12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4',
  users:
    'M9 11a3.5 3.5 0 100-7 3.5 3.5 0 000 7zM2.5 20c0-3.6 2.9-6 6.5-6s6.5 2.4 6.5 6M16 4.5a3.5 3.5 0 010 6.5M18 14.5c2.2.8 3.5 2.8 3.5 5.5',
  warning: 'M12 4l9.5 16h-19zM12 10v4.5M12 17.3v.01',
} as const;

/** A drawing of the console's own set. */
export type IconName = keyof typeof PATHS;

/** An icon beside words that say the same, so readers of the page's text do not meet it. */
export function Icon({ name }: { readonly name: IconName }): ReactElement {
  return (
    <svg
      className="icon"
      viewBox="0 0 24 24"
      width="16"
      height="16"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.9"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}

/** The seal: Bulla's mark. */
export function Seal(): ReactElement {
  return (
    <svg viewBox="0 0 32 32" width="22" height="22" aria-hidden="true" focusable="false">
      <circle cx="16" cy="16" r="14" fill="#a34c2a" />
      <path
        d="M9.5 16.5l4.5 4.5 8.5-9.5"
        fill="none"
        stroke="#fff"
        strokeWidth="3.2"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  );
}
