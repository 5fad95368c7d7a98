# A small image that runs as nobody (65532), which must be able to read the keys. The configuration to begin with is
# examples/sugarcrm/container.yaml.
#
# Build: docker build -t paravent --build-arg COMMIT=$(git rev-parse --short=12 HEAD) .
# Run, where the mounted files lie (policies/ may be a copy of policies/sugarcrm):
#        docker run --read-only -p 8443:8443 -v paravent-audit:/var/lib/paravent \
#          -v ./container.yaml:/etc/paravent/paravent.yaml:ro -v ./policies:/etc/paravent/policies:ro \
#          -v ./token.key:/etc/paravent/token.key:ro \
#          -v ./crm.pem:/etc/paravent/crm.pem:ro -v ./crm.key:/etc/paravent/crm.key:ro paravent

FROM rust:1-bookworm AS build
WORKDIR /src
# Dependencies first, so that a change of the source does not build them again.
COPY Cargo.toml Cargo.lock clippy.toml ./
RUN mkdir -p src/bin && echo 'fn main() {}' | tee src/main.rs > src/bin/paravent-verify.rs && echo > src/lib.rs \
    && cargo build --profile dist --locked && rm -rf src
COPY build.rs ./
COPY lexicon ./lexicon
COPY src ./src
COPY policies ./policies
COPY examples ./examples
COPY templates ./templates
# There is no git in here: the commit is told.
ARG COMMIT=
ENV PARAVENT_COMMIT=$COMMIT
RUN touch src/main.rs src/bin/paravent-verify.rs src/lib.rs && cargo build --profile dist --locked && mkdir -p /out/var/lib/paravent/audit

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /src/target/dist/paravent /src/target/dist/paravent-verify /usr/local/bin/
COPY --from=build --chown=nonroot:nonroot /out/var/lib/paravent /var/lib/paravent
USER nonroot
VOLUME /var/lib/paravent
EXPOSE 8443
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/paravent"]
CMD ["serve", "--config", "/etc/paravent/paravent.yaml"]
