import { useMutation } from '@tanstack/react-query';
import { resetTokenSchema } from '@tidewire/protocol/auth-api';
import { apiPath, callApi } from '../../lib/api.js';

/** Makes a token for a new password, which stands in this one answer only. */
export function useCreateResetToken(database: string) {
  return useMutation({
    mutationFn: (id: string) =>
      callApi('POST', apiPath('databases', database, 'users', id, 'reset-token'), { schema: resetTokenSchema }),
    gcTime: 0,
  });
}
