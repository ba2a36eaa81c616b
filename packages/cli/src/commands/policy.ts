import type { Command } from 'commander';
import type { CliContext } from '../context.ts';
import { configureCheck } from './policy/check.ts';
import { configureExplain } from './policy/explain.ts';
import { configureExport } from './policy/export.ts';
import { configureFmt } from './policy/fmt.ts';
import { configureImpact } from './policy/impact.ts';
import { configureImport } from './policy/import.ts';
import { configureInit } from './policy/init.ts';
import { configureRollout } from './policy/rollout.ts';
import { configureSimulate } from './policy/simulate.ts';
import { configureTest } from './policy/test.ts';

/** `bulla policy init|check|fmt|explain|test|simulate|impact|rollout|import|export`. */
export function configure(command: Command, context: CliContext): void {
  configureInit(command, context);
  configureCheck(command, context);
  configureFmt(command, context);
  configureExplain(command, context);
  configureTest(command, context);
  configureSimulate(command, context);
  configureImpact(command, context);
  configureRollout(command, context);
  configureImport(command, context);
  configureExport(command, context);
}
