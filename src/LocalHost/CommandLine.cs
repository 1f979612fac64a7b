namespace NodeStash.LocalHost;

/// <summary>Parses the command line.</summary>
/// <param name="Settings">The address to listen on and the data folder.</param>
/// <param name="Demo">Whether to run the demo rather than the server.</param>
/// <param name="Health">Whether to check that a running server can serve, rather than to start one.</param>
/// <param name="Help">Whether to print the usage.</param>
/// <param name="Version">Whether to print the program's version.</param>
/// <param name="Fault">The error in the command line; null for none.</param>
public sealed record CommandLine(HostSettings Settings, bool Demo = false, bool Health = false, bool Help = false, bool Version = false, string? Fault = null)
{
    public const string Usage =
        """
        NodeStash: a headless CRM in one process.

          nodestash [--urls URL] [--data DIR] [--no-loopback]
                                                  start the server
          nodestash demo [--urls URL] [--data DIR]
                                                  show the main job, against the server at that address
                                                  if one runs on that folder, else against one of its own
          nodestash health [--urls URL]           exit code 0 if the server there can serve, 1 if not

        Options
          --urls URL    where to listen, several separated by ';' (default http://127.0.0.1:7071)
          --data DIR    where everything is kept (default .nodestash)
          --no-loopback webhooks may not call this machine
          --help        this text
          --version     the version of this program

        The first start makes a workspace and writes its key to DIR/api-key.
        Environment: Logging__LogLevel__Default=Warning (less on the console), Logging__Console__FormatterName=json
        (logs for machines), OTEL_EXPORTER_OTLP_ENDPOINT=http://… (traces and metrics),
        NODESTASH_WEBHOOK_CONCURRENCY=8 (attempts at one endpoint at the same time, 1 to 64).
        """;

    public static CommandLine Parse(IReadOnlyList<string> args)
    {
        var line = new CommandLine(new HostSettings());
        for (var i = 0; i < args.Count; i++)
        {
            // --name value and --name=value.
            var (name, value) = args[i].StartsWith("--", StringComparison.Ordinal) && args[i].IndexOf('=', StringComparison.Ordinal) is > 0 and var at
                ? (args[i][..at], args[i][(at + 1)..])
                : (args[i], null);
            switch (name)
            {
                case "--help" or "-h" or "help":
                    return line with { Help = true };
                case "--version" when value is null:
                    return line with { Version = true };
                case "demo" when i == 0:
                    line = line with { Demo = true };
                    continue;
                case "health" when i == 0:
                    line = line with { Health = true };
                    continue;
                case "--no-loopback" when value is null:
                    line = line with { Settings = line.Settings with { AllowLoopback = false } };
                    continue;
                case not ("--urls" or "--data"):
                    return line with { Fault = $"unknown argument '{args[i]}'" };
            }

            value ??= i + 1 < args.Count ? args[++i] : "";
            if (value.Length == 0) return line with { Fault = $"{name} needs a value" };
            line = line with
            {
                Settings = name is "--urls"
                ? line.Settings with { Urls = value, UrlsGiven = true }
                : line.Settings with { Data = value, DataGiven = true }
            };
        }

        return line;
    }
}
