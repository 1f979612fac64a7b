# The local host as a container: one process, no shell, not root, nothing to write but the volume /data.
#   docker build -t nodestash . && docker run -p 7071:7071 -v nodestash:/data nodestash
ARG DOTNET=10.0

FROM mcr.microsoft.com/dotnet/sdk:${DOTNET}-noble AS build
ARG TARGETARCH
# The version, as 1.2.3: there is no repository here to read it from. MSBuild takes the variable as a property.
ARG MinVerVersionOverride
WORKDIR /source
COPY . .
# The names of architectures: Docker says amd64, .NET x64.
RUN dotnet publish src/LocalHost -c Release --self-contained -r linux-$(echo "$TARGETARCH" | sed s/amd64/x64/) -o /app && mkdir /data

FROM mcr.microsoft.com/dotnet/runtime-deps:${DOTNET}-noble-chiseled
COPY --from=build /app /app
COPY --from=build --chown=$APP_UID:$APP_UID /data /data
USER $APP_UID
VOLUME /data
EXPOSE 7071
# No sockets for debuggers in /tmp, which is not writable.
ENV DOTNET_EnableDiagnostics=0
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s CMD ["/app/nodestash", "health", "--urls", "http://127.0.0.1:7071"]
ENTRYPOINT ["/app/nodestash", "--urls", "http://0.0.0.0:7071", "--data", "/data"]
CMD ["--no-loopback"]
