import {
  type ColumnDefinitionNode,
  type KyselyPlugin,
  type OperationNode,
  RawNode,
  type RootOperationNode,
} from 'kysely';

/** What the portable types are in PostgreSQL. */
const TYPES: Readonly<Record<string, string>> = {
  blob: 'bytea',
  // Ordered by bytes, as SQLite does: a database's own order differs from one to the next, and
  // pages that go on after the last row of the page before must see one order.
  text: 'text collate "C"',
};

/** Gives the columns of `create table` and `add column` PostgreSQL's name of their portable type. */
export const PORTABLE_COLUMNS: KyselyPlugin = {
  transformQuery: ({ node }) => transform(node),
  transformResult: async ({ result }) => result,
};

function transform(node: RootOperationNode): RootOperationNode {
  if (node.kind === 'CreateTableNode') {
    return { ...node, columns: node.columns.map(withOwnType) };
  }
  if (node.kind !== 'AlterTableNode' || node.columnAlterations === undefined) return node;
  return {
    ...node,
    columnAlterations: node.columnAlterations.map((change) =>
      change.kind === 'AddColumnNode' ? { ...change, column: withOwnType(change.column) } : change,
    ),
  };
}

function withOwnType(column: ColumnDefinitionNode): ColumnDefinitionNode {
  const own = TYPES[typeOf(column.dataType)];
  return own === undefined ? column : { ...column, dataType: RawNode.createWithSql(own) };
}

function typeOf(node: OperationNode): string {
  return 'dataType' in node && typeof node.dataType === 'string' ? node.dataType : '';
}
