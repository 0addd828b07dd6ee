/** The security headers of pages: of the dashboard, and of the reference at `/docs`. */
import type { RequestHandler } from 'express';
import helmet from 'helmet';

export type PageNeeds = {
  /** Where images come from besides this server. */
  images?: readonly string[];
  /** Where forms may be sent to; this server unless said otherwise. */
  forms?: string;
};

/**
 * Helmet with a strict content security policy: scripts and connections of this server only, no plugins, no framing, nothing
 * inline. No HSTS: whether there is TLS is for the proxy before us to say.
 */
export function createPageHeaders({ images = [], forms = "'self'" }: PageNeeds = {}): RequestHandler {
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'self'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'", ...images],
        connectSrc: ["'self'"],
        objectSrc: ["'none'"],
        baseUri: ["'none'"],
        frameAncestors: ["'none'"],
        formAction: [forms],
      },
    },
    strictTransportSecurity: false,
    frameguard: { action: 'deny' },
    referrerPolicy: { policy: 'no-referrer' },
  });
}
