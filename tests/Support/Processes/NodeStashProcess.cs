using System.Diagnostics;
using System.Text.RegularExpressions;
using NodeStash.LocalHost;
using NodeStash.Support.Http;

namespace NodeStash.Support.Processes;

/// <summary>The program itself, in a process of its own on a free port.</summary>
public sealed partial class NodeStashProcess : IAsyncDisposable
{
    private readonly System.Diagnostics.Process process;
    private readonly Lines output = new();
    private readonly Lines errors = new();
    private readonly string data;

    private NodeStashProcess(string data, string[] args, bool ignoresInterrupt = false)
    {
        this.data = data;
        // A write beyond a limit on files' sizes is then refused, as by a full disk, where else it would end the process. SIGINT is what the test says,
        // whatever the process of the tests has inherited: a shell that starts something in the background has it ignored, and .NET leaves it so.
        var interrupt = ignoresInterrupt ? "trap '' INT; exec" : "exec env --default-signal=INT";
        var script = $"trap '' XFSZ; {interrupt} dotnet \"$@\"";
        var start = new ProcessStartInfo("sh", ["-c", script, "sh"]) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var arg in args.Prepend(typeof(CrmHost).Assembly.Location)) start.ArgumentList.Add(arg);
        process = new System.Diagnostics.Process { StartInfo = start };
        process.OutputDataReceived += (_, line) => output.Add(line.Data);
        process.ErrorDataReceived += (_, line) => errors.Add(line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public string Output => output.Text;

    public string Errors => errors.Text;

    public Uri Address => new(ListensOn().Match(Output).Groups[1].Value);

    /// <summary>Starts the server and waits until it says that it listens.</summary>
    public static Task<NodeStashProcess> Serve(string data, params string[] options) => Listening(Begin(data, options));

    /// <summary>As <see cref="Serve"/>, as a shell starts what is to run in the background: with SIGINT ignored.</summary>
    public static Task<NodeStashProcess> ServeInBackground(string data) => Listening(new(data, Arguments(data, []), ignoresInterrupt: true));

    /// <summary>Starts the server and does not wait.</summary>
    public static NodeStashProcess Begin(string data, params string[] options) => new(data, Arguments(data, options));

    private static string[] Arguments(string data, string[] options) => ["--urls", "http://127.0.0.1:0", "--data", data, .. options];

    private static async Task<NodeStashProcess> Listening(NodeStashProcess started)
    {
        await Eventually.True(() => started.process.HasExited || started.Output.Contains("Content-Type", StringComparison.Ordinal), "the address");
        return started.process.HasExited ? throw new InvalidOperationException(started.Errors) : started;
    }

    /// <summary>Runs it to its end.</summary>
    public static async Task<(int Code, string Output, string Errors)> Run(params string[] args)
    {
        await using var started = new NodeStashProcess("", args);
        return (await started.Exit(), started.Output, started.Errors);
    }

    /// <summary>A client with the key in the data folder.</summary>
    public CrmClient Client() => new(Address, File.ReadAllText(Path.Combine(data, "api-key")).Trim());

    /// <summary>SIGKILL: no instruction more.</summary>
    public async Task Kill()
    {
        process.Kill();
        await process.WaitForExitAsync();
    }

    public async Task Signal(string name)
    {
        using var kill = System.Diagnostics.Process.Start("kill", [$"-{name}", process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
    }

    /// <summary>Lets files not grow, nor be written beyond their first byte, as if all disks were full; or undoes that.</summary>
    public async Task FillDisk(bool isFull)
    {
        using var limit = System.Diagnostics.Process.Start(
            "prlimit", [$"--pid={process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)}", isFull ? "--fsize=1:" : "--fsize=unlimited:"]);
        await limit.WaitForExitAsync();
        if (limit.ExitCode != 0) throw new InvalidOperationException("The limit could not be set");
    }

    /// <summary>Waits for its end; answers the exit code.</summary>
    public async Task<int> Exit()
    {
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System);
        return process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited) await Kill();
        process.Dispose();
    }

    [GeneratedRegex(@"listens on (\S+)")]
    private static partial Regex ListensOn();

    private sealed class Lines
    {
        private readonly List<string> lines = [];

        public string Text
        {
            get
            {
                lock (lines) return string.Join('\n', lines);
            }
        }

        public void Add(string? line)
        {
            if (line is null) return;
            lock (lines) lines.Add(line);
        }
    }
}
