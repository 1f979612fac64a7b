using System.Security.Cryptography;
using System.Text;
using NodeStash.Core.Webhooks;

namespace NodeStash.Core.Tests.Webhooks;

public sealed class SecretBoxTests
{
    private readonly SecretBox box = new(RandomNumberGenerator.GetBytes(SecretBox.KeyBytes));

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(32)]
    [InlineData(1000)]
    public void What_is_sealed_opens_again(int length)
    {
        var secret = RandomNumberGenerator.GetBytes(length);

        Assert.Equal(secret, box.Open(box.Seal(secret, "wh_1"), "wh_1"));
    }

    [Fact]
    public void Sealing_twice_gives_two_texts_and_neither_holds_the_secret()
    {
        var secret = Encoding.UTF8.GetBytes("a secret of some length");

        var (one, two) = (box.Seal(secret, "wh_1"), box.Seal(secret, "wh_1"));

        Assert.NotEqual(one, two);
        Assert.True(Convert.FromBase64String(one["v1:".Length..]).AsSpan().IndexOf(secret) < 0);
    }

    [Fact]
    public void It_does_not_open_in_another_place()
    {
        var text = box.Seal("secret"u8, "wh_1");

        Assert.ThrowsAny<CryptographicException>(() => box.Open(text, "wh_2"));
    }

    [Fact]
    public void It_does_not_open_with_another_key()
    {
        var text = box.Seal("secret"u8, "wh_1");

        Assert.ThrowsAny<CryptographicException>(() => new SecretBox(new byte[SecretBox.KeyBytes]).Open(text, "wh_1"));
    }

    [Fact]
    public void No_bit_of_it_can_be_changed()
    {
        var text = box.Seal("secret"u8, "wh_1");
        var bytes = Convert.FromBase64String(text["v1:".Length..]);
        for (var bit = 0; bit < bytes.Length * 8; bit++)
        {
            var changed = (byte[])bytes.Clone();
            changed[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.ThrowsAny<CryptographicException>(() => box.Open("v1:" + Convert.ToBase64String(changed), "wh_1"));
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("v1:")]
    [InlineData("v1:AAAA")]
    [InlineData("v1:not base64")]
    [InlineData("v2:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    public void What_was_never_sealed_does_not_open(string text) => Assert.ThrowsAny<CryptographicException>(() => box.Open(text, "wh_1"));

    [Fact]
    public void A_text_cut_short_does_not_open()
    {
        var bytes = Convert.FromBase64String(box.Seal("secret"u8, "wh_1")["v1:".Length..]);
        for (var length = 0; length < bytes.Length; length++)
            Assert.ThrowsAny<CryptographicException>(() => box.Open("v1:" + Convert.ToBase64String(bytes, 0, length), "wh_1"));
    }
}
