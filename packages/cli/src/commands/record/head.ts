import { asString, member } from '@bulla/trust/bytes/shape';
import type { Command } from 'commander';
import type { CliContext } from '../../context.ts';
import { outputOption } from '../../options/output.ts';
import { jsonText } from '../../output/json.ts';
import { answer } from '../../server/parse.ts';
import { addPlaceOptions, openPlace, type PlaceFlags } from '../../server/place.ts';

interface HeadFlags extends PlaceFlags {
  readonly output: 'text' | 'json';
}

/** `bulla record head|key`: what an auditor keeps to prove the record by later. */
export function configureHead(record: Command, context: CliContext): void {
  const head = record
    .command('head')
    .description('print the signed head of the record as it ends now: keep it, elsewhere');
  addPlaceOptions(head)
    .addOption(outputOption(head))
    .action(async (flags: HeadFlags) => {
      const document = await headOf(flags, context);
      if (flags.output === 'json') return context.out(jsonText(document));
      context.out(asString(member(answer(document), 'note')).trimEnd());
    });
  const key = record
    .command('key')
    .description('print the public key of the record, which exports are verified with');
  addPlaceOptions(key).action(async (flags: PlaceFlags) => {
    const document = await headOf(flags, context);
    context.out(asString(member(answer(document), 'publicKey')).trimEnd());
  });
}

async function headOf(flags: PlaceFlags, context: CliContext): Promise<unknown> {
  await using api = await openPlace(flags, context);
  return await api.json({ method: 'GET', path: ['record', 'head'] });
}
