import type { ExpressionRunner } from '../expression.ts';

/** What requirements are judged by, beside the evidence. */
export interface RequirementContext {
  /** Canonical `registry/repository` of the image. */
  readonly repository: string;
  /** The present; never a trusted time (semantics 10). */
  readonly at: Date;
  /** Asked for when a statement meets a `where`, and not before. */
  readonly expressions: () => ExpressionRunner;
}
