import type { Command } from 'commander';
import type { CliContext } from '../../context.ts';
import { addPlaceOptions, openPlace, type PlaceFlags } from '../../server/place.ts';
import { addFilterOptions, type FilterFlags, filterQuery } from '../../server/record-filter.ts';

interface ExportFlags extends PlaceFlags, FilterFlags {
  readonly format: 'jsonl' | 'csv';
  readonly output?: string;
}

/** `bulla record export`: the record as JSON Lines that prove themselves, or decisions as CSV. */
export function configureExport(record: Command, context: CliContext): void {
  const command = record
    .command('export')
    .description('write the record as JSON Lines for `record verify`, or decisions as CSV')
    .option('--output <file>', 'where to; standard output by default');
  command.addOption(
    command
      .createOption('--format <format>', 'jsonl can be verified, csv is for spreadsheets')
      .choices(['jsonl', 'csv'])
      .default('jsonl'),
  );
  addPlaceOptions(addFilterOptions(command)).action(async (flags: ExportFlags) => {
    await using api = await openPlace(flags, context);
    const query = { ...(await filterQuery(flags, api, context)), format: flags.format };
    const chunks = api.chunks({ method: 'GET', path: ['record', 'export'], query });
    if (flags.output !== undefined) {
      const { writeStream } = await import('../../options/files.ts');
      await writeStream(flags.output, chunks);
      return;
    }
    const { linesOfChunks } = await import('@bulla/server/record/lines');
    for await (const line of linesOfChunks(chunks)) context.out(line);
  });
}
