import { Check, Copy, TriangleAlert } from 'lucide-react';
import { useCopy } from '../../lib/use-copy.js';
import { Button } from './button.js';
import { IconButton } from './icon-button.js';

type CopyButtonProps = { text: string /** What is copied, as in "Copy key". */; what: string; isWide?: boolean };

export function CopyButton({ text, what, isWide }: CopyButtonProps) {
  const { state, copy } = useCopy();
  const icon =
    state === 'copied' ? (
      <Check aria-hidden />
    ) : state === 'refused' ? (
      <TriangleAlert aria-hidden />
    ) : (
      <Copy aria-hidden />
    );
  const spoken = {
    idle: '',
    copied: 'Copied',
    refused: 'The browser does not allow copying here. Select the text instead.',
  }[state];
  return (
    <>
      {isWide ? (
        <Button icon={icon} onClick={() => copy(text)}>
          Copy {what}
        </Button>
      ) : (
        <IconButton label={state === 'idle' ? `Copy ${what}` : spoken} onClick={() => copy(text)} className="bg-sunken">
          {icon}
        </IconButton>
      )}
      <span role="status" className="sr-only">
        {spoken}
      </span>
    </>
  );
}
