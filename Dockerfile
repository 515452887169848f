# Galen as a command: small, not root, and without any need of a network once it is built.
#   docker build -t galen .
#   docker run --rm --network none -v "$PWD:/work" --user "$(id -u)" galen embed --model model --file texts.jsonl
FROM node:24-bookworm-slim AS build
WORKDIR /source
COPY . .
RUN npm ci && npm pack --ignore-scripts --pack-destination /tmp
WORKDIR /app
RUN echo '{ "private": true }' > package.json && npm install --omit=dev --no-audit --no-fund /tmp/galen-*.tgz
# Of ONNX Runtime the binaries of this platform alone: 46 MB instead of 288.
RUN find node_modules/onnxruntime-node/bin/napi-v6 -mindepth 2 -maxdepth 2 ! -path "*/linux/$(node -p process.arch)" -exec rm -r {} +

FROM node:24-bookworm-slim
COPY --from=build /app /app
USER node
WORKDIR /work
ENTRYPOINT ["node", "/app/node_modules/galen/bin/galen.js"]
CMD ["--help"]
