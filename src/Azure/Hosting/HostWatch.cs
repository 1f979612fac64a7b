using System.Globalization;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace NodeStash.Azure.Hosting;

/// <summary>
/// Ends the app once the Functions host that started it is gone. A host that stops tells its worker to end; one that is killed tells nothing, and the worker
/// library goes on for ever without it. It looks for its parent every two seconds, on Linux; elsewhere it does nothing,
/// nor for a host that is gone before the app has begun.
/// </summary>
public sealed partial class HostWatch(IHostApplicationLifetime lifetime, TimeProvider clock, ILogger<HostWatch> log) : IHostedService, IDisposable
{
    private static readonly TimeSpan interval = TimeSpan.FromSeconds(2);

    private readonly int? host = Parent();
    private ITimer? timer;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (host is not null) timer = clock.CreateTimer(_ => Look(), null, interval, interval);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        Dispose();
        return Task.CompletedTask;
    }

    public void Dispose() => timer?.Dispose();

    private void Look()
    {
        if (Parent() == host) return;
        Dispose();
        Gone(log, host);
        lifetime.StopApplication();
    }

    /// <summary>The id of the parent process; null where it is not told.</summary>
    private static int? Parent()
    {
        try
        {
            // "id (name) state parent …", and the name may have parentheses of its own: proc(5).
            var stat = File.ReadAllText("/proc/self/stat");
            return int.Parse(stat[(stat.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    [LoggerMessage(EventId = 1, Level = LogLevel.Warning, Message = "The Functions host, process {Host}, is gone: the app ends")]
    private static partial void Gone(ILogger logger, int? host);
}
