import type { Activity } from './activity.ts';
import type { IssuedLink } from './links.ts';
import type { ApiToken } from './tokens.ts';
import type { User } from './user.ts';

/** A user as the API shows it. */
export function userAnswer(user: User): object {
  return { ...user, disabled: time(user.disabled), created: user.created.toISOString() };
}

/** A link as the API shows it, once. */
export function linkAnswer({ secret, expires }: IssuedLink): object {
  return { secret, expires: expires.toISOString() };
}

/** A token as the API shows it. */
export function tokenAnswer(token: ApiToken): object {
  return {
    ...token,
    created: token.created.toISOString(),
    expires: token.expires.toISOString(),
    revoked: time(token.revoked),
    lastUsed: time(token.lastUsed),
  };
}

/** A change as the API shows it. */
export function activityAnswer(activity: Activity): object {
  return { ...activity, at: activity.at.toISOString() };
}

function time(at: Date | null): string | null {
  return at === null ? null : at.toISOString();
}
