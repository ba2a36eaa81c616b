import assert from 'node:assert/strict';
import { test } from 'node:test';
import { warningTexts } from '../../src/admission/texts.ts';

const DIGEST = `sha256:${'0123456789abcdef'.repeat(4)}`;
const LONG = `registry.example/${'team/'.repeat(20)}app`;

/** What a warning calls an image: a digest must not crowd out the name. */
const NAMED: readonly { readonly reference: string; readonly expect: string }[] = [
  { reference: 'registry.example/app:1', expect: 'registry.example/app:1' },
  {
    reference: `registry.example/app:1@${DIGEST}`,
    expect: 'registry.example/app:1@sha256:0123456789ab',
  },
  { reference: `${LONG}:1`, expect: `…${LONG.slice(-57)}:1` },
  { reference: `${LONG}:1@${DIGEST}`, expect: `…${LONG.slice(-37)}:1@sha256:0123456789ab` },
  { reference: `app@${'😀'.repeat(90)}`, expect: `app@${'😀'.repeat(19)}` },
];

for (const { reference, expect } of NAMED) {
  test(`a warning names ${expect}`, () => {
    const [text = ''] = warningTexts(
      [],
      [{ reference, says: 'policy lab (warn) is not satisfied' }],
    );
    assert.equal(text, `${expect}: policy lab (warn) is not satisfied`);
    assert.ok([...text].length <= 120);
  });
}
