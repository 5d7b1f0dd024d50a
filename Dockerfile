# One image, every process: `gateway start api`, `watcher`, `courier`, `gateway migrate`.
ARG NODE=26

# Everything, to generate Prisma's client and compile.
FROM node:${NODE}-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json prisma.config.ts ./
COPY prisma prisma
COPY src src
RUN npm run build

# What production needs and nothing else: no Prisma command line (a peer of its client), no embedded Postgres.
FROM node:${NODE}-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --omit=peer --omit=optional && npm cache clean --force

FROM node:${NODE}-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8080 HEALTH_PORT=9090
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json ./
COPY prisma/migrations prisma/migrations
COPY prisma/routines prisma/routines
# The console shows it.
COPY docs/alarms.md docs/alarms.md
USER node
EXPOSE 8080
# Each process answers on its own HEALTH_PORT, inside the container only.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.HEALTH_PORT}/healthz`).then(r => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# Room for what is soon forgotten: a courier's garbage is collected at half the cost. Some 100 MB at the most.
ENTRYPOINT ["node", "--max-semi-space-size=64", "dist/gateway.js"]
CMD ["start"]
