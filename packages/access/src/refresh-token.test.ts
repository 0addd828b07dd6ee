import { expect, it } from 'vitest';
import { createRefreshToken, readRefreshToken } from './refresh-token.js';

const session = '0190a0b0-0000-7000-8000-000000000000';

it('is known again as what was made here, with its session, and with any character changed it is not', () => {
  const { text, hash } = createRefreshToken(session, 'secret');
  expect(readRefreshToken(text, 'secret')).toEqual({ sessionId: session, hash });
  expect(readRefreshToken(text, 'another secret')).toBeNull();
  expect(createRefreshToken(session, 'secret').text).not.toBe(text);
  for (let index = 0; index < text.length; index += 1) {
    const other = text[index] === '0' ? '1' : '0';
    expect(readRefreshToken(text.slice(0, index) + other + text.slice(index + 1), 'secret')).toBeNull();
  }
  for (const wrong of ['', text.slice(0, -1), `${text}x`, ` ${text}`, `${text}\n`])
    expect(readRefreshToken(wrong, 'secret')).toBeNull();
});
