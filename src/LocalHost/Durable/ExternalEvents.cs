using System.Diagnostics.CodeAnalysis;
using Microsoft.DurableTask;

namespace NodeStash.LocalHost.Durable;

/// <summary>
/// Events of one execution and those who wait for them. An event is kept until somebody waits for its name; the oldest is given
/// first. Of several who wait for a name, the last to come is served first.
/// </summary>
internal sealed class ExternalEvents(DataConverter converter)
{
    private readonly Dictionary<string, List<Waiting>> waiting = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, Queue<Occurrence>> unclaimed = new(StringComparer.OrdinalIgnoreCase);

    public bool AreAwaited => waiting.Values.Any(list => list.Count > 0);

    public IReadOnlyList<long> Unclaimed => [.. unclaimed.Values.SelectMany(queue => queue).Select(occurrence => occurrence.Seq).Order()];

    public void Take(Occurrence occurrence)
    {
        if (waiting.TryGetValue(occurrence.Name!, out var list) && list.Count > 0)
        {
            var last = list[^1];
            list.RemoveAt(list.Count - 1);
            last.Complete(occurrence, converter);
        }
        else
        {
            if (!unclaimed.TryGetValue(occurrence.Name!, out var queue)) unclaimed.Add(occurrence.Name!, queue = new Queue<Occurrence>());
            queue.Enqueue(occurrence);
        }
    }

    public Waiting<T> Wait<T>(string name)
    {
        if (!waiting.TryGetValue(name, out var list)) waiting.Add(name, list = []);
        if (list.Count > 0 && list[^1] is not Waiting<T>)
            throw new ArgumentException($"Somebody waits for an event '{name}' of another type than {typeof(T)}.", nameof(name));
        var wait = new Waiting<T>(list);
        if (unclaimed.TryGetValue(name, out var queue) && queue.TryDequeue(out var occurrence)) wait.Complete(occurrence, converter);
        else list.Add(wait);
        return wait;
    }

    internal abstract class Waiting
    {
        public abstract void Complete(Occurrence occurrence, DataConverter converter);
    }

    internal sealed class Waiting<T>(List<Waiting> list) : Waiting
    {
        private readonly TaskCompletionSource<T> received = new();

        public Task<T> Task => received.Task;

        [SuppressMessage("Design", "CA1031", Justification = "An event that cannot be read is the orchestrator's to handle.")]
        public override void Complete(Occurrence occurrence, DataConverter converter)
        {
            T? payload;
            try
            {
                payload = converter.Read<T>(occurrence.Payload);
            }
            catch (Exception e)
            {
                received.SetException(e);
                return;
            }

            received.SetResult(payload!);
        }

        /// <summary>Leaves the queue, so that the next event goes to somebody who still wants it.</summary>
        public void Cancel(CancellationToken ct)
        {
            list.Remove(this);
            received.TrySetCanceled(ct);
        }
    }
}
