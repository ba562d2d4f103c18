// A picture whose parts are changed one by one, so that what has the focus keeps it.
export default {
  template: `<div class="drawing" @click="pick" @keydown="key" @pointerdown="begin" @pointermove="move"
    @pointerup="end" @pointercancel="end"></div>`,
  props: { markup: String, drawing: Boolean },
  mounted() {
    this.render();
  },
  watch: {
    markup() {
      this.render();
    },
  },
  methods: {
    render() {
      this.$el.innerHTML = this.markup;
    },
    // Takes {id: {attribute: value}}, and says when it is done, so that no more comes than is drawn.
    change(changes) {
      for (const [id, attributes] of Object.entries(changes)) {
        const part = document.getElementById(id);
        if (!part) continue;
        for (const [name, value] of Object.entries(attributes)) {
          if (name === "text") part.textContent = value;
          else part.setAttribute(name, value);
        }
      }
      requestAnimationFrame(() => this.$emit("drawn"));
    },
    choose(part) {
      for (const one of this.$el.querySelectorAll(".chosen")) one.classList.remove("chosen");
      this.$el.querySelector(`[data-part="${part}"]`)?.classList.add("chosen");
    },
    part(event) {
      return event.target.closest?.("[data-part]")?.dataset.part;
    },
    pick(event) {
      const part = this.part(event);
      if (part && !this.drawing) this.$emit("pick", part);
    },
    key(event) {
      if (event.key !== "Enter" && event.key !== " ") return;
      const part = this.part(event);
      if (!part) return;
      event.preventDefault();
      this.$emit("pick", part);
    },
    begin(event) {
      if (!this.drawing) return;
      this.places = [];
      this.$el.setPointerCapture(event.pointerId);
      this.move(event);
      event.preventDefault();
    },
    move(event) {
      if (!this.places) return;
      const box = this.$el.querySelector("svg").getBoundingClientRect();
      const place = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
      const last = this.places.at(-1);
      if (last && Math.hypot(place[0] - last[0], place[1] - last[1]) < 0.03) return;
      if (place.every((at) => at >= 0 && at <= 1) && this.places.length < 200) this.places.push(place);
    },
    end() {
      if (this.places?.length) this.$emit("places", this.places);
      this.places = null;
    },
  },
};
