using NodeStash.Core.Webhooks;
using NodeStash.Functions.Webhooks.Delivery;

namespace NodeStash.Functions.Webhooks.Tests;

public sealed class SendSlotsTests
{
    private const string Partition = "ws_1";

    private static readonly WebhookOptions options = new();
    private readonly SendSlots slots = new(options);
    private readonly CancellationToken late = new(canceled: true);

    [Fact]
    public async Task An_endpoint_gets_so_many_at_a_time_and_takes_nothing_from_another()
    {
        var taken = await Take("wh_1", options.ConcurrencyPerEndpoint);

        Assert.Null(await slots.TryEnter(Partition, "wh_1", late));
        using var other = await slots.TryEnter(Partition, "wh_2", CancellationToken.None);
        Assert.NotNull(other);
        var waiting = slots.TryEnter(Partition, "wh_1", CancellationToken.None);
        Assert.False(waiting.IsCompleted);
        taken[0].Dispose();
        Assert.NotNull(await waiting);
    }

    [Fact]
    public async Task The_process_makes_so_many_at_a_time()
    {
        var taken = new List<SendSlots.Slot>();
        for (var i = 0; i < SendSlots.MostPerProcess / options.ConcurrencyPerEndpoint; i++) taken.AddRange(await Take($"wh_{i}", options.ConcurrencyPerEndpoint));

        using var cancelled = new CancellationTokenSource();
        var one = slots.TryEnter(Partition, "wh_more", cancelled.Token);
        await cancelled.CancelAsync();
        Assert.Null(await one);
        taken[0].Dispose();
        Assert.NotNull(await slots.TryEnter(Partition, "wh_more", CancellationToken.None));
    }

    [Fact]
    public async Task An_endpoint_is_busy_when_everything_it_may_have_is_slow()
    {
        var taken = await Take("wh_1", options.ConcurrencyPerEndpoint);
        Assert.False(slots.IsBusy(Partition, "wh_1"));
        foreach (var slot in taken) slot.IsSlow();

        Assert.True(slots.IsBusy(Partition, "wh_1"));
        Assert.False(slots.IsBusy(Partition, "wh_2"));
        taken[0].Dispose();
        Assert.False(slots.IsBusy(Partition, "wh_1"));
    }

    [Fact]
    public async Task While_a_data_set_has_many_slow_ones_its_slow_endpoints_are_busy_its_quick_ones_and_other_data_sets_are_not()
    {
        for (var i = 0; i < SendSlots.MostSlowPerPartition; i++) (await Take($"wh_{i}", 1))[0].IsSlow();
        (await Take("wh_other", 1, "ws_2"))[0].IsSlow();
        using var quick = (await Take("wh_quick", 1))[0];

        Assert.True(slots.IsBusy(Partition, "wh_0"));
        Assert.False(slots.IsBusy(Partition, "wh_quick"));
        Assert.False(slots.IsBusy("ws_2", "wh_other"));
    }

    [Fact]
    public async Task While_half_of_the_process_is_slow_whoever_has_slow_ones_is_busy()
    {
        for (var i = 0; i < SendSlots.MostSlowPerProcess; i++) (await Take($"wh_{i}", 1, $"ws_{i}"))[0].IsSlow();

        Assert.True(slots.IsBusy("ws_0", "wh_0"));
        Assert.False(slots.IsBusy("ws_0", "wh_quick"));
    }

    private async Task<IReadOnlyList<SendSlots.Slot>> Take(string webhookId, int count, string partition = Partition)
    {
        var taken = new List<SendSlots.Slot>();
        for (var i = 0; i < count; i++) taken.Add((await slots.TryEnter(partition, webhookId, CancellationToken.None))!);
        return taken;
    }
}
