import { useMutation, useQueryClient } from '@tanstack/react-query';
import { recoveryCodesSchema, totpEnrolmentSchema } from '@tidewire/protocol/admins';
import { apiPath, callApi, callApiWithoutAnswer } from '../../lib/api.js';
import { accountQuery } from './queries.js';

/** A secret for an authenticator; it is not put into the cache. */
export function useBeginTotp() {
  return useMutation({
    mutationFn: (password: string) =>
      callApi('POST', apiPath('admin', 'totp'), { schema: totpEnrolmentSchema, body: { password } }),
    gcTime: 0,
  });
}

/** Gives the recovery codes. What the account says of itself is asked for again when they have been read. */
export function useConfirmTotp() {
  return useMutation({
    mutationFn: (body: { enrolment: string; code: string }) =>
      callApi('PUT', apiPath('admin', 'totp'), { schema: recoveryCodesSchema, body }),
    gcTime: 0,
  });
}

export function useEndTotp() {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (password: string) =>
      callApiWithoutAnswer('POST', apiPath('admin', 'totp', 'disable'), { body: { password } }),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: accountQuery.queryKey }),
    gcTime: 0,
  });
}
