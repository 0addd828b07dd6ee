import { describe, expect, it } from 'vitest';
import { createFlattener } from './flatten-document.js';

describe('createFlattener', () => {
  it('lifts the properties of objects to the root and leaves arrays, empty objects and null', () => {
    const flatten = createFlattener();
    expect(flatten({ _id: 'x', a: { b: 1, c: { d: null, e: [{ f: 1 }] } }, g: {} })).toEqual({
      _id: 'x',
      'a.b': 1,
      'a.c.d': null,
      'a.c.e': [{ f: 1 }],
      g: {},
    });
  });

  it('keeps of two values for one name the one nearer to the root', () => {
    expect(createFlattener()({ a: { b: 1 }, 'a.b': 2 })).toEqual({ 'a.b': 2 });
    expect(createFlattener()({ 'a.b': 2, a: { b: 1 } })).toEqual({ 'a.b': 2 });
  });

  it('refuses documents whose names outgrow the answer', () => {
    const flatten = createFlattener(100);
    const wide = { [`${'k'.repeat(20)}`]: { a: 1, b: 2, c: 3 } };
    expect(flatten(wide)).toBeDefined();
    expect(() => flatten(wide)).toThrowError('would be larger');
  });
});
