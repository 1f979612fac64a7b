using System.Collections.Concurrent;
using System.Diagnostics;
using System.Reflection;
using System.Text.Json;

namespace NodeStash.Infrastructure.Tests;

/// <summary>Runs the Bicep compiler.</summary>
internal static class Bicep
{
    private static readonly Dictionary<string, string> metadata =
        typeof(Bicep).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().ToDictionary(data => data.Key, data => data.Value!);

    private static readonly ConcurrentDictionary<string, Lazy<Task<JsonElement>>> built = new();

    /// <summary>The compiler's program file.</summary>
    public static string Program => metadata["BicepPath"];

    /// <summary>The folder of the templates and the parameter files.</summary>
    public static string Folder { get; } = In("infra/bicep");

    /// <summary>A path in the repository.</summary>
    public static string In(string path) => Path.Combine(metadata["Root"], path);

    /// <summary>Compiles a template, once.</summary>
    public static Task<JsonElement> Build(string template) =>
        built.GetOrAdd(template, file => new(async () => JsonElement.Parse(await Run("build", file, "--stdout")))).Value;

    /// <summary>Runs a command of the compiler in <see cref="Folder"/>.</summary>
    /// <returns>What it writes to its standard output.</returns>
    /// <exception cref="CompilerException">It reports an error or a warning, or fails.</exception>
    public static async Task<string> Run(params string[] arguments)
    {
        var start = new ProcessStartInfo(Program, arguments) { WorkingDirectory = Folder, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["ALERT_EMAIL"] = Deployment.AlertEmail;
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var diagnostics = await process.StandardError.ReadToEndAsync();
        var written = await output;
        await process.WaitForExitAsync();

        // The compiler reports every diagnostic on its error output; a warning leaves the exit code at 0.
        if (process.ExitCode == 0 && diagnostics.Length == 0) return written;
        throw new CompilerException($"bicep {string.Join(' ', arguments)} (exit code {process.ExitCode})\n{diagnostics}");
    }
}

/// <summary>Carries what the compiler reports.</summary>
public sealed class CompilerException(string message) : Exception(message);
