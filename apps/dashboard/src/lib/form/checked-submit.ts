import type { FormEvent } from 'react';
import { focusFirstError } from './focus-first-error.js';

type Checked<Request> = { check: () => Request | null };

/** The submit handler of a form: its request goes to `send` when nothing is wrong with it, else the first mistake has the focus. */
export function checkedSubmit<Request>(
  form: Checked<Request>,
  send: (request: Request, element: HTMLFormElement) => void,
) {
  return (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const element = event.currentTarget;
    const request = form.check();
    if (request === null) focusFirstError(element);
    else send(request, element);
  };
}
