using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;
using NodeStash.LocalHost.Store;

namespace NodeStash.LocalHost.Durable;

/// <summary>Purges finished instances once they have been kept long enough.</summary>
internal sealed partial class Retention(Database database, TimeProvider time, ILogger log, TimeSpan kept)
{
    private const int MaxAtOnce = 500;
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(5);

    [SuppressMessage("Design", "CA1031", Justification = "What could not be purged now is purged later.")]
    public async Task Run(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                var before = (time.GetUtcNow() - kept).UtcTicks;
                while (await database.Write(session => Instances.PurgeOld(session, before, MaxAtOnce), stop) == MaxAtOnce)
                {
                }
            }
            catch (Exception e)
            {
                if (!stop.IsCancellationRequested) NotPurged(log, e);
            }

            await Task.Delay(Interval, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Finished orchestrations could not be purged; they will be tried again")]
    private static partial void NotPurged(ILogger logger, Exception e);
}
