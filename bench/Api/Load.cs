using System.Diagnostics.CodeAnalysis;

namespace NodeStash.Bench;

/// <summary>What a stretch of load came to.</summary>
/// <param name="PerSecond">Answers.</param>
/// <param name="P50">Of the times to answer.</param>
/// <param name="P99">Of the times to answer.</param>
/// <param name="AllocatedPerRequest">Bytes the server allocated.</param>
/// <param name="CpuPerRequest">Time the server computed.</param>
internal readonly record struct Measurement(double PerSecond, TimeSpan P50, TimeSpan P99, double AllocatedPerRequest, TimeSpan CpuPerRequest);

/// <summary>Load on a server: threads with a connection each, as a blocking call costs less than an asynchronous one.</summary>
internal static class Load
{
    public static Measurement Measure(MeasuredProcess server, int connections, TimeSpan duration, Func<Requests> requests)
    {
        var before = server.Usage();
        var (times, took) = Run(server.Port, connections, duration, requests);
        var after = server.Usage();
        Array.Sort(times);
        return new Measurement(
            times.Length / took.TotalSeconds, TimeProvider.System.GetElapsedTime(0, times[times.Length / 2]),
            TimeProvider.System.GetElapsedTime(0, times[(int)(times.Length * 0.99)]),
            (double)(after.Allocated - before.Allocated) / times.Length, (after.Cpu - before.Cpu) / times.Length);
    }

    [SuppressMessage("Design", "CA1031", Justification = "What a thread throws is thrown again where it was started.")]
    private static (long[] Times, TimeSpan Took) Run(int port, int connections, TimeSpan duration, Func<Requests> requests)
    {
        var times = new List<long>[connections];
        Exception? problem = null;
        var start = TimeProvider.System.GetTimestamp();
        var end = start + (long)(duration.TotalSeconds * TimeProvider.System.TimestampFrequency);
        var threads = Enumerable.Range(0, connections).Select(i => new Thread(() =>
        {
            try
            {
                times[i] = Send(port, requests(), end);
            }
            catch (Exception e)
            {
                problem = e;
            }
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        var took = TimeProvider.System.GetElapsedTime(start);
        if (problem is not null) throw new InvalidOperationException("the load failed", problem);
        return ([.. times.SelectMany(t => t)], took);
    }

    private static List<long> Send(int port, Requests requests, long end)
    {
        using var connection = new Connection(port);
        var times = new List<long>(100_000);
        for (var now = TimeProvider.System.GetTimestamp(); now < end;)
        {
            connection.Exchange(requests.Next());
            var then = TimeProvider.System.GetTimestamp();
            times.Add(then - now);
            now = then;
        }

        return times;
    }
}
