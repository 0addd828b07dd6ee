import { Field } from '../../../components/ui/field.js';
import type { KeyForm } from '../use-key-form.js';
import { GrantField } from './grant-field.js';
import { OriginField } from './origin-field.js';

export function KeyFields({ form, collections }: { form: KeyForm; collections: readonly string[] }) {
  const { fields, errors, hasTried } = form;
  return (
    <div className="flex flex-col gap-6">
      <Field
        label="Name"
        name="name"
        autoComplete="off"
        maxLength={100}
        placeholder="Web shop, backend, Ada's laptop"
        value={fields.name}
        error={errors.name}
        onChange={(event) => form.setName(event.target.value)}
      />
      {(['rest', 'listen', 'publish'] as const).map((kind) => (
        <div key={kind} className="border-t border-line pt-5">
          <GrantField
            editor={fields[kind]}
            collections={collections}
            isRefused={hasTried}
            error={errors[kind]}
            onChange={(editor) => form.setGrants(kind, editor)}
          />
        </div>
      ))}
      <div className="border-t border-line pt-5">
        <OriginField editor={fields.origins} isRefused={hasTried} error={errors.origins} onChange={form.setOrigins} />
      </div>
      <div className="grid gap-5 border-t border-line pt-5 sm:grid-cols-2">
        <Field
          label="Expires"
          type="datetime-local"
          value={fields.expiry}
          error={errors.expiresAt}
          hint="In your own time zone. Empty: never."
          onChange={(event) => form.setText('expiry', event.target.value)}
        />
        <Field
          label="Requests a minute"
          inputMode="numeric"
          autoComplete="off"
          placeholder="any number"
          value={fields.rateLimit}
          error={errors.rateLimit}
          hint="More are refused with 429. A stream counts once, when it opens."
          onChange={(event) => form.setText('rateLimit', event.target.value.trim())}
        />
      </div>
    </div>
  );
}
