# The binary links its SQLite, libpq and OpenSSL statically from source; what it needs of the system is glibc alone.
FROM rust:1-bookworm AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    cargo build --release --locked && cp target/release/jixiao /jixiao && mkdir /data

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /jixiao /usr/local/bin/jixiao
COPY --from=build --chown=nonroot:nonroot /data /data
ENV JIXIAO_LISTEN=0.0.0.0:8080 JIXIAO_DATA_DIR=/data
USER nonroot
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["jixiao", "health"]
ENTRYPOINT ["jixiao"]
CMD ["serve"]
