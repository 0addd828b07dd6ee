# Tidewire as an image. Debian's glibc, because the built-in PostgreSQL is linked to it.
FROM node:22-slim AS build
WORKDIR /app
COPY . .
# No package's install script is needed; what the built-in PostgreSQL's would do is done below.
RUN --mount=type=cache,target=/root/.npm npm ci --ignore-scripts --no-audit --no-fund
RUN npx turbo run build --filter=@tidewire/tidewire...
# What runs, without what builds. devDependencies go from the root first: Prisma's command line is an optional peer of its client,
# and npm would keep it for that.
RUN npm pkg delete devDependencies \
  && npm prune --omit=dev --ignore-scripts --no-audit --no-fund \
  && find packages apps -type d \( -name src -o -name .turbo \) -prune -exec rm -rf {} + \
  && node -e "import('@tidewire/db/embedded-postgres/binaries').then((binaries) => binaries.preparePostgresBinaries())"

FROM node:22-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=4000 DATA_DIR=/data
RUN mkdir /data && chown node:node /data
COPY --from=build /app /app
WORKDIR /app
USER node
VOLUME /data
EXPOSE 4000
HEALTHCHECK --interval=5s --timeout=3s --start-period=60s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/ready`).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
# Drain first: streams are told to come back, running requests end, then PostgreSQL stops.
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "apps/tidewire/bin/tidewire.js"]
CMD ["start"]
