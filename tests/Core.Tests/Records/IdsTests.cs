using System.Numerics;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.Extensions.Time.Testing;
using NodeStash.Core.Values;
using Property = NodeStash.Support.Property;

namespace NodeStash.Core.Tests.Records;

public sealed class IdsTests
{
    private const string Digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    private const int RandomBits = 70;
    private static readonly DateTimeOffset Start = new(2026, 1, 15, 10, 30, 0, TimeSpan.Zero);

    [Fact]
    public Task Every_id_is_greater_than_the_one_before_whatever_the_clock_does() => Property.Holds(
        Gen.ArrayOf(Gen.Choose(-1_000_000, 1_000_000).Or(Gen.Constant(0)).Select(micros => TimeSpan.FromMicroseconds(micros))),
        steps =>
        {
            var clock = new FakeTimeProvider(Start);
            var ids = new Ids(clock);
            var last = ids.New("ct_");
            foreach (var step in steps)
            {
                clock.AdjustTime(clock.GetUtcNow() + step);
                var next = ids.New("ct_");
                Assert.True(string.CompareOrdinal(last, next) < 0, $"{last} < {next}");
                last = next;
            }

            return Task.CompletedTask;
        });

    [Fact]
    public async Task Ids_of_many_threads_are_distinct_and_rise_on_each()
    {
        var ids = new Ids(new FakeTimeProvider(Start));

        var made = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => Enumerable.Range(0, 5_000).Select(_ => ids.New("ct_")).ToArray())));

        Assert.All(made, each => Assert.Equal(each.Order(StringComparer.Ordinal), each));
        Assert.Equal(40_000, made.SelectMany(each => each).Select(Unit).Distinct().Count());
    }

    [Fact]
    public void An_id_of_a_later_time_is_greater_than_any_of_an_earlier_one()
    {
        var earlier = new Ids(new FakeTimeProvider(Start));
        var later = new Ids(new FakeTimeProvider(Start.AddSeconds(1)));

        for (var i = 0; i < 100; i++) Assert.True(string.CompareOrdinal(earlier.New("ct_"), later.New("ct_")) < 0);
    }

    [Fact]
    public Task An_id_is_its_prefix_and_twenty_base62_characters() => Property.Holds(
        Gen.Elements("ct_", "evt_", "cfv_", "req_", "key_").Zip(Gen.Choose(0, int.MaxValue)),
        each =>
        {
            var (prefix, seconds) = each;
            var id = new Ids(new FakeTimeProvider(Start.AddSeconds(seconds))).New(prefix);
            Assert.Matches($"^{prefix}[0-9A-Za-z]{{20}}$", id);
            Assert.True(Ids.IsId(id, prefix));
            return Task.CompletedTask;
        });

    [Theory]
    [InlineData("ct_0123456789ABCDEFGHIj", "ct_", true)]
    [InlineData("ct_0123456789ABCDEFGHI", "ct_", false)]
    [InlineData("ct_0123456789ABCDEFGHIjk", "ct_", false)]
    [InlineData("co_0123456789ABCDEFGHIj", "ct_", false)]
    [InlineData("CT_0123456789ABCDEFGHIj", "ct_", false)]
    [InlineData("ct_0123456789ABCDEFGH-j", "ct_", false)]
    [InlineData("ct_0123456789ABCDEFGHé0", "ct_", false)]
    [InlineData("ct_0123456789ABCDEFGH\n0", "ct_", false)]
    [InlineData("", "ct_", false)]
    public void An_id_is_recognized(string id, string prefix, bool isId) => Assert.Equal(isId, Ids.IsId(id, prefix));

    [Fact]
    public void The_lower_seventy_bits_are_random()
    {
        var random = Enumerable.Range(0, 2_000).Select(_ => Number(new Ids(new FakeTimeProvider(Start)).New("ct_"))).ToList();

        Assert.Single(random.Select(number => number >> RandomBits).Distinct());
        Assert.Equal(random.Count, random.Distinct().Count());
        for (var bit = 0; bit < RandomBits; bit++)
        {
            // Of 2,000 fair coins, fewer than 700 or more than 1,300 heads come up once in 10^40 times.
            Assert.InRange(random.Count(number => (number >> bit & 1) == 1), 700, 1_300);
        }
    }

    [Fact]
    public Task A_derived_id_is_always_the_same_and_keeps_the_order_of_time() => Property.Holds(
        ArbMap.Default.GeneratorFor<NonNull<string>>().Two(),
        texts =>
        {
            var ids = new Ids(new FakeTimeProvider(Start));
            var (earlier, later) = (ids.New("evt_"), ids.New("evt_"));
            var (first, second) = (texts.Item1.Get, texts.Item2.Get);

            Assert.Equal(Ids.Derive("dlv_", earlier, first), Ids.Derive("dlv_", earlier, first));
            Assert.True(Ids.IsId(Ids.Derive("dlv_", earlier, first), "dlv_"));
            Assert.Equal(Unit(earlier), Unit(Ids.Derive("dlv_", earlier, first)));
            Assert.True(string.CompareOrdinal(Ids.Derive("dlv_", earlier, first), Ids.Derive("dlv_", later, second)) < 0);
            if (first != second && !first.Any(char.IsSurrogate) && !second.Any(char.IsSurrogate))
                Assert.NotEqual(Ids.Derive("dlv_", earlier, first), Ids.Derive("dlv_", earlier, second));
            return Task.CompletedTask;
        });

    private static BigInteger Unit(string id) => Number(id) >> RandomBits;

    private static BigInteger Number(string id) =>
        id[^20..].Aggregate(BigInteger.Zero, (number, c) => number * 62 + Digits.IndexOf(c, StringComparison.Ordinal));
}
