import {
  createKeyRequestSchema,
  renameCollectionRequestSchema,
  setupRequestSchema,
} from '@tidewire/protocol/admin-api';
import { expect, test } from 'vitest';
import { explainIssues, fieldsOfProblem } from './field-errors.js';

type Schema = typeof setupRequestSchema | typeof createKeyRequestSchema | typeof renameCollectionRequestSchema;

function explain(schema: Schema, input: unknown) {
  const parsed = schema.safeParse(input);
  return parsed.success ? {} : explainIssues(parsed.error.issues);
}

test('the setup form says what each field wants', () => {
  expect(explain(setupRequestSchema, { token: 't', email: 'ada', password: 'short' })).toEqual({
    email: 'Enter an e-mail address, as in ada@example.com.',
    password: 'Use at least 10 characters.',
  });
});

test('a mistake within a list belongs to the list, with the rule in words', () => {
  const errors = explain(createKeyRequestSchema, { name: '', listen: ['POST:company', 'SING:company'] });
  expect(errors.name).toBe('Enter something here.');
  expect(errors.listen).toContain('POST PUT PATCH DELETE PUBLISH');
});

test('a name that cannot be one is told with its rule', () => {
  const { name } = explain(renameCollectionRequestSchema, { name: '1st' });
  expect(name).toMatch(/^This is not the name of a collection; allowed: a letter/);
});

test('pointers of the server lead to the fields of the form', () => {
  expect(
    fieldsOfProblem([
      { field: '/name', message: 'is taken' },
      { field: 'origins', message: 'not an origin', allowed: 'https://app.example' },
      { field: '/rest/3', message: 'not a grant' },
    ]),
  ).toEqual({ name: 'is taken', origins: 'not an origin (allowed: https://app.example)', rest: 'not a grant' });
});
