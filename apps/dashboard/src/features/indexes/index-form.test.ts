import { expect, test } from 'vitest';
import { emptyIndexForm, readIndexForm } from './index-form.js';

const form = { ...emptyIndexForm, fields: 'city' };

test('fields keep their order, and what is not asked for is not sent', () => {
  expect(readIndexForm({ ...form, fields: ' address.city,  name ' })).toEqual({
    ok: true,
    body: { fields: ['address.city', 'name'] },
  });
  expect(readIndexForm({ ...form, name: ' by_city ', isUnique: true, where: '{"state":"open"}' })).toEqual({
    ok: true,
    body: { name: 'by_city', fields: ['city'], unique: true, where: { state: 'open' } },
  });
});

test('an index of words has no fields, whatever was typed there before', () => {
  expect(readIndexForm({ ...form, kind: 'text', isUnique: true, where: '{' })).toEqual({
    ok: true,
    body: { text: [] },
  });
});

test('each mistake is told at its field', () => {
  expect(readIndexForm({ ...form, fields: ' , ' })).toEqual({
    ok: false,
    errors: { fields: 'Enter at least one field.' },
  });
  expect(readIndexForm({ ...form, fields: 'a b c d e' })).toMatchObject({
    errors: { fields: expect.stringContaining('at most 4') },
  });
  for (const where of ['{', '[]', '1', 'null']) {
    expect(readIndexForm({ ...form, where })).toMatchObject({ ok: false, errors: { where: expect.any(String) } });
  }
  expect(readIndexForm({ ...form, name: '1st' })).toMatchObject({ ok: false, errors: { name: expect.any(String) } });
});
