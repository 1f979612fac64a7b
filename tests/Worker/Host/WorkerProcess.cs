using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace NodeStash.Worker.Tests.Host;

/// <summary>
/// A published program in a process of its own, started as the Functions host starts it. Source: azure-functions-host, RpcWorkerProcess and RpcWorkerContext.
/// </summary>
internal sealed class WorkerProcess : IAsyncDisposable
{
    private static readonly string[] Inherited = ["PATH", "HOME", "TMPDIR", "DOTNET_ROOT", "LANG"];

    private readonly Process process;
    private readonly StringBuilder output = new();
    private int child;

    private WorkerProcess(ProcessStartInfo start)
    {
        process = new Process { StartInfo = start };
        process.OutputDataReceived += Hear;
        process.ErrorDataReceived += Hear;
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        Exited = WaitForExit();
    }

    /// <summary>Its exit code, once it has ended.</summary>
    public Task<int> Exited { get; }

    /// <summary>What it said so far, on both channels.</summary>
    public string Output
    {
        get
        {
            lock (output) return output.ToString();
        }
    }

    /// <param name="program">What to start.</param>
    /// <param name="host">Where it is to connect.</param>
    /// <param name="id">What it is to call itself.</param>
    /// <param name="settings">The app settings; of the settings of these tests it sees none.</param>
    /// <param name="inShell">Whether a shell starts it and waits for it; the process is the shell then.</param>
    public static WorkerProcess Start(PublishedApp program, Uri host, string id, IReadOnlyDictionary<string, string> settings, bool inShell = false)
    {
        const string LongestMessage = "2147483647";
        string[] command =
        [
            "dotnet", program.Program,
            "--host", host.Host, "--port", $"{host.Port}", "--workerId", id, "--requestId", id, "--grpcMaxMessageLength", LongestMessage,
            "--functions-uri", host.AbsoluteUri, "--functions-worker-id", id, "--functions-request-id", id,
            "--functions-grpc-max-message-length", LongestMessage,
        ];
        if (inShell) command = ["sh", "-c", "\"$@\" & echo \"worker $!\"; wait", "sh", .. command];
        var start = new ProcessStartInfo(
            command[0], command[1..])
        { WorkingDirectory = program.RunningFolder, RedirectStandardOutput = true, RedirectStandardError = true };
        var inherited = Inherited.Select(name => (name, Environment.GetEnvironmentVariable(name))).ToList();
        start.Environment.Clear();
        foreach (var (name, value) in inherited) start.Environment[name] = value;
        start.Environment["FUNCTIONS_WORKER_DIRECTORY"] = program.RunningFolder;
        start.Environment["FUNCTIONS_APPLICATION_DIRECTORY"] = program.RunningFolder;
        foreach (var (name, value) in settings) start.Environment[name] = value;
        return new WorkerProcess(start);
    }

    /// <summary>Ends it at once, wherever it is.</summary>
    public void Kill() => process.Kill();

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited) process.Kill();
        if (child > 0 && Directory.Exists($"/proc/{child}")) Process.GetProcessById(child).Kill(); // Outlived its shell: it holds the output open.
        await Exited;
        process.Dispose();
    }

    private async Task<int> WaitForExit()
    {
        await process.WaitForExitAsync();
        return process.ExitCode;
    }

    private void Hear(object sender, DataReceivedEventArgs line)
    {
        const string Child = "worker ";
        if (line.Data is { } text && text.StartsWith(Child, StringComparison.Ordinal))
            _ = int.TryParse(text[Child.Length..], CultureInfo.InvariantCulture, out child);
        lock (output) output.AppendLine(line.Data);
    }
}
