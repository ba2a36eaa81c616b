import type {
  AttachedView,
  RepositoryView,
  TagPeriod,
  TagView,
} from '@bulla/server/gateway/repository-view';
import { queryOptions } from '@tanstack/react-query';
import { apiPath, read } from './client.ts';

/** A page of repositories by name; `next` asks for the page after it. */
export interface RepositoriesAnswer {
  readonly repositories: readonly { readonly name: string }[];
  readonly next: string | null;
}

/** What is attached to an image: a signature, an attestation, or anything else that refers to it. */
export type AttachedAnswer = AttachedView;

/** A tag and what it leads to. */
export type TagAnswer = TagView;

/** A repository with a page of its tags. */
export type RepositoryAnswer = RepositoryView;

/** What a tag led to, the newest first. */
export interface TagHistoryAnswer {
  readonly history: readonly TagPeriod[];
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
