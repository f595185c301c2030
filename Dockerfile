# The program with its native engine (CPU), and all that training needs: docs/docker.md says how to use it.
FROM node:24.11.1-bookworm-slim AS build
WORKDIR /source
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY . .
# The package as npm publishes it, with the dependencies that the lock file names.
RUN npm run build \
  && npm pack --pack-destination /srv \
  && mkdir /usr/local/lib/densenet \
  && tar -xzf /srv/densenet-*.tgz -C /usr/local/lib/densenet --strip-components=1 \
  && cp package-lock.json .npmrc /usr/local/lib/densenet/
WORKDIR /usr/local/lib/densenet
RUN npm ci --omit=dev

FROM node:24.11.1-bookworm-slim
# The compiler stays: on a processor that is not like the one below, the engine is compiled once more.
# hadolint ignore=DL3008
RUN apt-get update \
  && apt-get install -y --no-install-recommends g++ \
  && rm -rf /var/lib/apt/lists/*
COPY --from=build /usr/local/lib/densenet /usr/local/lib/densenet
RUN ln -s /usr/local/lib/densenet/bin/densenet /usr/local/bin/densenet \
  && mkdir -p /data /experiments/results /home/node/.cache \
  && chown node:node /data /experiments /experiments/results /home/node/.cache
ENV DENSENET_DATA=/data \
    XDG_CACHE_HOME=/home/node/.cache
# node, as the base image calls it.
USER 1000:1000
WORKDIR /experiments
RUN densenet setup native
VOLUME ["/data", "/experiments/results"]
ENTRYPOINT ["densenet"]
CMD ["--help"]
