import { useMutation } from '@tanstack/react-query';
import { apiPath, callApiWithoutAnswer } from '../../lib/api.js';

export function useSignOut() {
  return useMutation({ mutationFn: () => callApiWithoutAnswer('DELETE', apiPath('session')) });
}
