import { expect, it } from 'vitest';
import { isStreamTarget, realtimePathPattern } from './stream-paths.js';

it.each([
  '/realtime',
  '/realtime/',
  '/realtime?apikey=tw_x&since=4',
  '/realtime/events?token=a/b',
  '/channels/chat/stream',
  '/channels/chat.room%2F1/stream?recent=0',
  '/rest/company/stream',
  '/rest/company/stream?q={"a":"/x"}',
  '/rest/company/5f0c1d2e3a4b5c6d7e8f9a0b/stream',
  '/rest/company/5f0c1d2e3a4b5c6d7e8f9a0b/people/stream?delta=true',
  '/api/databases/default/keys/stream',
  '/api/databases/default/events/stream',
])('%s is the path of a stream, and of the realtime service', (target) => {
  expect([isStreamTarget(target), realtimePathPattern.test(target.split('?')[0] ?? '')]).toEqual([true, true]);
});

it.each([
  '/',
  '/rest/company',
  '/rest/stream',
  '/rest/a/b/c/d/stream',
  '/rest/company/streams',
  '/rest/company?x=/stream',
  '/realtimes',
  '/api/stream',
  '/x/realtime',
  '/channels/stream',
  '/events',
])('%s is no stream', (target) => {
  expect(isStreamTarget(target)).toBe(false);
});

it.each(['/realtime/ticket', '/channels/chat'])('%s is no stream, and of the realtime service', (path) => {
  expect([isStreamTarget(path), realtimePathPattern.test(path)]).toEqual([false, true]);
});

it.each([
  '/api/databases/stream',
  '/api/databases/default/collections/stream',
  '/api/databases/default/roles/stream',
  '/api/databases/default/collections/company/indexes/stream',
])('%s is a stream for whoever accepts one, and else what is called stream', (path) => {
  expect([isStreamTarget(path), isStreamTarget(path, 'text/event-stream'), isStreamTarget(path, '*/*')]).toEqual([
    false,
    true,
    false,
  ]);
});
