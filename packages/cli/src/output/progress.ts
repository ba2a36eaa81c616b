import { styleText } from 'node:util';
import type { CopyEvent } from '@bulla/trust/oci/copy';
import type { TransferEvent } from '@bulla/trust/oci/registry/options';
import type { CliContext } from '../context.ts';

/** The progress of a copy, on stderr: one line that is redrawn on a terminal, plain lines elsewhere. */
export interface Progress extends Disposable {
  readonly onTransfer: (event: TransferEvent) => void;
  readonly onCopy: (event: CopyEvent) => void;
}

const REDRAW_MS = 100;
const CLEAR_LINE = '\r\u001b[2K';

/** Opens a line of progress; disposing it removes the line. `verb` is `copying` or the like. */
export function openProgress(verb: string, context: CliContext): Progress {
  return context.terminal.err ? redrawn(verb, context) : plain(context);
}

function plain(context: CliContext): Progress {
  return {
    onTransfer: () => {},
    onCopy: ({ what, digest, sizeBytes, how }) => {
      if (how !== 'present') context.err(`${how} ${what} ${digest}  ${formatBytes(sizeBytes)}`);
    },
    [Symbol.dispose]: () => {},
  };
}

function redrawn(verb: string, context: CliContext): Progress {
  const count = { manifest: 0, blob: 0, sent: 0, received: 0 };
  const { NO_COLOR } = context.env;
  const isColoured = NO_COLOR === undefined || NO_COLOR === '';
  let drawnAt = Number.NEGATIVE_INFINITY;
  const draw = (): void => {
    const now = context.now();
    if (now - drawnAt < REDRAW_MS) return;
    drawnAt = now;
    const text = `${verb}  ${count.manifest} manifests, ${count.blob} blobs  ${formatBytes(count.received)} received, ${formatBytes(count.sent)} sent`;
    process.stderr.write(`${CLEAR_LINE}${isColoured ? styleText('dim', text) : text}`);
  };
  return {
    onTransfer: ({ direction, bytes }) => {
      count[direction] += bytes;
      draw();
    },
    onCopy: ({ what }) => {
      count[what] += 1;
      draw();
    },
    [Symbol.dispose]: () => {
      process.stderr.write(CLEAR_LINE);
    },
  };
}

const UNITS = ['KiB', 'MiB', 'GiB', 'TiB'] as const;

/** A size as people read it: `532 B`, `1.4 MiB`. */
export function formatBytes(sizeBytes: number): string {
  let size = sizeBytes;
  let unit = 'B';
  for (const next of UNITS) {
    if (size < 1024) break;
    size /= 1024;
    unit = next;
  }
  return unit === 'B' ? `${size} B` : `${size.toFixed(1)} ${unit}`;
}
