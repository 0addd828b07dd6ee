/** Where the values of a JSON text stand, so that what a problem says of a JSON Pointer (RFC 6901) can be shown in the text. */
import { pointerTo } from '@tidewire/protocol/problem';

/** JSON Pointer → offset of the key, or of the value where there is none. */
export type JsonPlaces = ReadonlyMap<string, number>;

type Level = { pointer: string; isArray: boolean; index: number; key: string | null };

const token = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/** The places of a text that is valid JSON. Of a key that is there twice, the last one. */
export function findJsonPlaces(text: string): JsonPlaces {
  const places = new Map<string, number>();
  const levels: Level[] = [];
  for (const { 0: part, index: offset } of text.matchAll(token)) {
    const level = levels.at(-1);
    if (part === '}' || part === ']') levels.pop();
    else if (part === ',') advance(level);
    else if (part === ':') continue;
    else if (level && !level.isArray && level.key === null) {
      level.key = String(JSON.parse(part));
      places.set(pointerOf(level), offset);
    } else {
      const pointer = pointerOf(level);
      if (level === undefined || level.isArray) places.set(pointer, offset);
      if (part === '{' || part === '[') levels.push({ pointer, isArray: part === '[', index: 0, key: null });
    }
  }
  return places;
}

function advance(level: Level | undefined): void {
  if (level === undefined) return;
  level.index += 1;
  level.key = null;
}

function pointerOf(level: Level | undefined): string {
  if (level === undefined) return '';
  return level.pointer + pointerTo(level.isArray ? level.index : (level.key ?? ''));
}

/** The offset of the pointer, or of the nearest of its parents: what is missing has no place of its own. */
export function nearestPlace(places: JsonPlaces, pointer: string): number {
  for (let at = pointer; at !== ''; at = at.slice(0, at.lastIndexOf('/'))) {
    const offset = places.get(at);
    if (offset !== undefined) return offset;
    if (!at.includes('/')) break;
  }
  return places.get('') ?? 0;
}

/** The line of an offset, counted from 1. */
export function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

export type JsonReading = { ok: true; value: unknown } | { ok: false; message: string; line: number | null };

/** Reads JSON that a person writes. Where a mistake is, browsers tell in different words, some not at all: then `line` is null. */
export function readJson(text: string): JsonReading {
  if (text.trim() === '') return { ok: false, message: 'Enter something here.', line: null };
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch (error) {
    const told = error instanceof Error ? error.message : '';
    const line = /line (\d+)/.exec(told)?.[1];
    const position = /position (\d+)/.exec(told)?.[1];
    if (line !== undefined) return { ok: false, message: 'This is not JSON.', line: Number(line) };
    if (position !== undefined)
      return { ok: false, message: 'This is not JSON.', line: lineOf(text, Number(position)) };
    const isCut = /unexpected end/i.test(told);
    return { ok: false, message: 'This is not JSON.', line: isCut ? lineOf(text, text.length) : null };
  }
}
