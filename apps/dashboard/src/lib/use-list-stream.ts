import { type QueryKey, useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import type { z } from 'zod';

type ListStream<S extends z.ZodType> = {
  /** Path of the list's stream, as in `/api/admins/stream`. */
  path: string;
  /** The name of its events, and of the one field of their data. */
  name: string;
  /** What the list without `/stream` answers. */
  schema: S;
  queryKey: QueryKey;
  /** From the answer to what is cached. */
  select: (answer: z.output<S>) => unknown;
  isOn?: boolean;
};

/** Keeps a cached list as the server sends it, while the component is shown. What cannot be read is asked for again by its query. */
export function useListStream<S extends z.ZodType>({
  path,
  name,
  schema,
  queryKey,
  select,
  isOn = true,
}: ListStream<S>) {
  const queryClient = useQueryClient();
  const key = JSON.stringify(queryKey);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the schema and the selection of a path never change; the key is compared by its text
  useEffect(() => {
    if (!isOn) return;
    const source = new EventSource(path);
    source.addEventListener(name, ({ data }: MessageEvent<string>) => {
      const answer = schema.safeParse((JSON.parse(data) as Record<string, unknown>)[name]);
      if (answer.success) queryClient.setQueryData(queryKey, select(answer.data));
      else void queryClient.invalidateQueries({ queryKey });
    });
    source.addEventListener('expired', () => {
      source.close();
      void queryClient.invalidateQueries({ queryKey });
    });
    return () => source.close();
  }, [path, name, key, isOn, queryClient]);
}
