import type { EventType } from '@tidewire/protocol/channel';
import { Badge } from './badge.js';

/** The kind of an event, in its colour. */
export function EventTypeBadge({ type }: { type: EventType }) {
  return (
    <Badge tone={type} isMono className="uppercase">
      {type}
    </Badge>
  );
}
