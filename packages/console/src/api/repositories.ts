import { queryOptions } from '@tanstack/react-query';
import { apiPath, read } from './client.ts';

/** A repository of the list. */
export interface RepositorySummary {
  readonly name: string;
}

/** A page of repositories by name; `next` asks for the page after it. */
export interface RepositoriesAnswer {
  readonly repositories: readonly RepositorySummary[];
  readonly next: string | null;
}

/** What is attached to an image: a signature, an attestation, or anything else that refers to it. */
export interface AttachedAnswer {
  readonly digest: string;
  readonly kind: 'signature' | 'attestation' | 'other';
  readonly type: string;
}

/** A tag and what it leads to. */
export interface TagAnswer {
  readonly tag: string;
  readonly digest: string;
  readonly since: string | null;
  readonly lastDecision: {
    readonly id: string;
    readonly outcome: string;
    readonly effect: string;
    readonly at: string;
  } | null;
  readonly attached: readonly AttachedAnswer[];
}

/** A repository with a page of its tags. */
export interface RepositoryAnswer {
  readonly name: string;
  readonly tags: readonly TagAnswer[];
  readonly next: string | null;
}

/** What a tag led to, the newest first; `rollback` when the digest had been there before. */
export interface TagHistoryAnswer {
  readonly history: readonly {
    readonly digest: string;
    readonly from: string;
    readonly until: string | null;
    readonly rollback: boolean;
  }[];
}

/** A page of repositories. */
export function repositoriesQuery(cursor: string | undefined) {
  return queryOptions({
    queryKey: ['repositories', cursor],
    queryFn: ({ signal }) => read<RepositoriesAnswer>(apiPath('/repositories', { cursor }), signal),
  });
}

/** A repository and a page of its tags. */
export function repositoryQuery(name: string, cursor: string | undefined) {
  return queryOptions({
    queryKey: ['repository', name, cursor],
    queryFn: ({ signal }) =>
      read<RepositoryAnswer>(apiPath('/repository', { name, cursor }), signal),
  });
}

/** The history of one tag. */
export function tagHistoryQuery(repository: string, tag: string) {
  return queryOptions({
    queryKey: ['tag-history', repository, tag],
    queryFn: ({ signal }) =>
      read<TagHistoryAnswer>(apiPath('/repository/history', { name: repository, tag }), signal),
  });
}
