using System.Globalization;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace NodeStash.Azure.Hosting;

/// <summary>
/// Stops the app once the Functions host that started it is gone. A host that stops tells its worker to stop; a host that is killed does not, and the worker
/// library would run on forever. Checks the parent process every two seconds, on Linux only. Does nothing if the host was gone before the app started.
/// </summary>
public sealed partial class HostWatch(IHostApplicationLifetime lifetime, TimeProvider clock, ILogger<HostWatch> log) : IHostedService, IDisposable
{
    private static readonly TimeSpan interval = TimeSpan.FromSeconds(2);

    private readonly int? host = FindParent();
    private ITimer? timer;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (host is not null) timer = clock.CreateTimer(_ => CheckHost(), null, interval, interval);
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        Dispose();
        return Task.CompletedTask;
    }

    public void Dispose() => timer?.Dispose();

    private void CheckHost()
    {
        if (FindParent() == host) return;
        Dispose();
        HostGone(log, host);
        lifetime.StopApplication();
    }

    /// <summary>Finds the id of the parent process; null if the system does not show it.</summary>
    private static int? FindParent()
    {
        try
        {
            // The format is "id (name) state parent …"; the name may contain parentheses. Source: proc(5).
            var stat = File.ReadAllText("/proc/self/stat");
            return int.Parse(stat[(stat.LastIndexOf(')') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    [LoggerMessage(EventId = 1, Level = LogLevel.Warning, Message = "The Functions host, process {Host}, is gone; stopping the app")]
    private static partial void HostGone(ILogger logger, int? host);
}
