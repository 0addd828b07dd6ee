/** The security headers of the dashboard's pages. */
import type { RequestHandler } from 'express';
import helmet from 'helmet';

/**
 * Helmet with a strict content security policy: scripts and connections of this server only, no plugins, no framing, nothing
 * inline. No HSTS: whether there is TLS is for the proxy before us to say.
 */
export const pageHeaders: RequestHandler = helmet({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'self'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      imgSrc: ["'self'"],
      connectSrc: ["'self'"],
      objectSrc: ["'none'"],
      baseUri: ["'none'"],
      frameAncestors: ["'none'"],
      formAction: ["'self'"],
    },
  },
  strictTransportSecurity: false,
  frameguard: { action: 'deny' },
  referrerPolicy: { policy: 'no-referrer' },
});
