# A small image that runs as nobody. Build: docker build -t paravent .
# Run:   docker run --read-only -v paravent-audit:/var/lib/paravent -v ./paravent.yaml:/etc/paravent/paravent.yaml:ro \
#               -v ./policies:/etc/paravent/policies:ro -p 8443:8443 paravent

FROM rust:1-bookworm AS build
WORKDIR /src
# Dependencies first, so that a change of the source does not build them again.
COPY Cargo.toml Cargo.lock clippy.toml ./
RUN mkdir src && echo 'fn main() {}' > src/main.rs && echo > src/lib.rs \
    && cargo build --release --locked && rm -rf src
COPY src ./src
COPY policies ./policies
RUN touch src/main.rs src/lib.rs && cargo build --release --locked && mkdir -p /out/var/lib/paravent/audit

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /src/target/release/paravent /usr/local/bin/paravent
COPY --from=build --chown=nonroot:nonroot /out/var/lib/paravent /var/lib/paravent
USER nonroot
VOLUME /var/lib/paravent
EXPOSE 8443
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/paravent"]
CMD ["serve", "--config", "/etc/paravent/paravent.yaml"]
