import { sendJson } from '@tidewire/server-kit/send-json';
import type { Response } from 'express';

/** Answers with a value as JSON. */
export function sendValue(response: Response, status: number, value: unknown): void {
  sendJson(response, status, JSON.stringify(value));
}
